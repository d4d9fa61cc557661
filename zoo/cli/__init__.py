"""The command `zoo`: one module a command, imported when it is asked for."""
