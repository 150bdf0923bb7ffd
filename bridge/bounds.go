package bridge

// Complete returns c with what it leaves open filled in, as [New] would on this machine at this moment: above all
// MemoryLimit, MaxConnections and HistoryLimit, of which 0 then means none. It fails where New would, and changes nothing.
func (c Config) Complete() (Config, error) { return c.withDefaults() }

// UsableConnections is how many connections the process's limit on open files has room for, beside the files that a
// gateway needs itself.
func UsableConnections() int { return descriptors() }
