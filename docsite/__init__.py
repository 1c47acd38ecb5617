"""Builds the documentation site: guides, a page per finding, entities, and the docs of dbt."""
