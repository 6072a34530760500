// Package simulator is a FlashArray without the array: an http.Handler that
// answers REST 2 from recordings, over HTTPS, with faults on demand.
//
//	fixtures, err := simulator.Builtin()
//	array := simulator.New(fixtures[0], simulator.Options{})
//	server, err := simulator.Serve([]*simulator.Array{array}, simulator.ServeOptions{})
//	defer server.Close()
//	// a client: target server.Addr(array.Name()), roots server.CertPool()
package simulator
