"""MaxEntScan: maximum entropy models of splice sites, by tables that another distribution brings."""
