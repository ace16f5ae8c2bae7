"""PostgreSQL and nothing else: tables, repositories, transactions, migrations."""
