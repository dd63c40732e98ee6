//! ocsf
