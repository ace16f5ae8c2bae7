"""How Alembic runs our migrations: on the connection that it is handed, never by itself."""

from alembic import context

config = context.config
context.configure(
    connection=config.attributes["connection"],
    target_metadata=config.attributes["metadata"],
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
