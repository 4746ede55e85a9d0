"""Bytes: a blob has a key and never changes. On disk or in S3, with the same promises."""
