"""Run by Alembic: applies the revisions on the connection that the ledger hands over."""

from alembic import context

from distributor.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=False,
    render_as_batch=True,
)
context.run_migrations()
