//! Docker's JSON for containers and images.
