"""A small CRM that keeps its opportunities in step with the portal's deals, in both directions."""
