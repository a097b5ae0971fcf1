"""HTTP Archives, and what Playwright writes around them."""
