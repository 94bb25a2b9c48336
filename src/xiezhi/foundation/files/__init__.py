"""Files (文件): what people upload, kept by content and never by the name they gave it.

A stored file's path is its SHA-256; the display name is text for people. Content decides the kind, not the extension.
`sheets` reads and writes tables (XLSX, CSV) row by row.
"""
