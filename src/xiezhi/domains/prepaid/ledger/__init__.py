"""The arithmetic of a book, without a database: what an operation is, how it is applied, how its rows are digested."""
