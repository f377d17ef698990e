"""Console files and Elasticsearch documents to log tables, with the coverage of both sides.

`normalise.normalise_logs` does it. Nothing is imported here: copying a folder needs some of these modules, and is
not to wait for what only the tables need (pandas, DuckDB). To load that in a thread meanwhile gains nothing: it is
Python, and keeps from the others what they need between two calls into libraries.
"""
