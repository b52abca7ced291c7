"""Environment of the migrations: Alembic runs this file with the connection that `daemon.migrator` has opened."""

from alembic import context

connection = context.config.attributes["connection"]
# One transaction for all revisions, which `daemon.migrator` has begun and ends: all of them happen, or none.
context.configure(connection=connection, transactional_ddl=True)
context.run_migrations()
