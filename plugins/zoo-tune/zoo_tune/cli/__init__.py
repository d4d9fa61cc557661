"""Commands that this plugin adds to zoo; each imports what it needs when it is called."""
