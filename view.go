package cachemesh

// A Member is one process in the mesh, as this node sees it.
type Member struct {
	Name    string
	Addr    string // what peers dial
	Self    bool
	Leaving bool // it is shutting down and owns nothing any more
}
