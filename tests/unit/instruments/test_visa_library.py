"""VISA library: one resource manager a process, and a new one where somebody closed it."""

import pyvisa

from instruments.visa_library import resource_manager


def test_the_manager_is_one_for_all() -> None:
    assert resource_manager() is resource_manager()


def test_a_manager_that_a_stranger_closed_is_made_again() -> None:
    """PyVISA hands everybody the same one: a notebook that closes `its` manager closes the daemon's."""
    pyvisa.ResourceManager("@py").close()
    manager = resource_manager()
    assert manager.session
    assert resource_manager() is manager
