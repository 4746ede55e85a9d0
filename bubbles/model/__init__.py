"""Nouns: tables, values and their state changes. No IO."""
