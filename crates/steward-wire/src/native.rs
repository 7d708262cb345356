//! Native JSON.
