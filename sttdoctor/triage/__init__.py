"""Many captures to one table: collect, judge each in a process that it may break, write rows as they come, sum up."""
