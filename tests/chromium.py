"""Headless Chromium of this computer, for tests of the page."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
# A name that does not resolve: whatever asks another host fails, and is seen.
ALONE = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
ALWAYS_MS = 15_000
"""How long the browser may take before a test gives up; how fast it is, is measured apart."""
SHOTS = Path(
    os.environ.get("JOULEBENCH_SCREENSHOTS") or Path(__file__).resolve().parent.parent / "build" / "screenshots"
)
"""Where what tests saw is kept; the gate names the folder."""


def chromium_path() -> str | None:
    """Return where Chromium is; None where it is not installed."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@dataclass
class Watched:
    """A browser's page, with everything it asked for and complained of."""

    page: Page
    asked: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    async def shoot(self, name: str) -> None:
        """Keep what is seen as a screenshot of the whole page."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=SHOTS / f"{name}.png", full_page=True, animations="disabled")

    def on_request(self, request: Request) -> None:
        self.asked.append(request.url)

    def on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(message.text)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Yield a browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=[*ARGUMENTS, *ALONE])
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def watched(
    browser: Browser, *, width: int = 1280, height: int = 900, dark: bool = False, touch: bool = False
) -> AsyncIterator[Watched]:
    """Yield a page in a context of its own."""
    context = await browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", has_touch=touch
    )
    context.set_default_timeout(ALWAYS_MS)
    page = await context.new_page()
    seen = Watched(page)
    page.on("request", seen.on_request)
    page.on("console", seen.on_console)
    page.on("pageerror", lambda error: seen.problems.append(str(error)))
    try:
        yield seen
    finally:
        await context.close()
