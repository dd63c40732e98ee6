//! SQL statements: what they read, write and change, told by a real parser.
