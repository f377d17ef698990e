"""Console files and Elasticsearch documents to log tables, with the coverage of both sides.

`normalise.normalise_logs` does it. Nothing is imported here: importing a folder needs some of these modules while it
copies, and loads what only the tables need (pandas, DuckDB) meanwhile.
"""
