//! Pictures and sound to files.
