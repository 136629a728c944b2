//! The image of keepalived at work.
