package redis

func init() {
	commands = make(map[string]*command)
	for _, table := range [][]command{connectionCommands, stringCommands, keyCommands, claimCommands, namedCommands, multiCommands, serverCommands} {
		for _, cmd := range table {
			commands[cmd.name] = &cmd
		}
	}
}
