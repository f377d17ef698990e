"""Console entries and Elasticsearch documents: the tables that may hold tens of millions of rows."""

from __future__ import annotations
