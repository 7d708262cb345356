//! Requests through the router, on both databases.

mod edge;
