"""A report as text for one kind of reader each; none of them knows how the result was found."""
