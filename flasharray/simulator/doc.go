// Package simulator is a FlashArray without the array: an http.Handler that
// answers REST 2 as one does, from recordings, over HTTPS, and with whatever
// fault a test or a rehearsal asks for.
//
//	fixtures, err := simulator.Builtin()
//	array := simulator.New(fixtures[0], simulator.Options{})
//	server, err := simulator.Serve([]*simulator.Array{array}, simulator.ServeOptions{})
//	defer server.Close()
//	// a client: target server.Addr(array.Name()), roots server.CertPool()
//
// It imports nothing of poolcast. A field that the client misspells is then
// missing in the client's result, where a simulator built from the client's own
// structs would misspell it too and nobody would notice.
//
// # One answer, step by step
//
// [Array.ServeHTTP] counts the request, lets a due [Fault] befall it, checks the
// session, and finds the endpoint in schema.txt, which knows since which version
// each endpoint, query parameter and field exists. A list request then takes the
// same road whatever it lists:
//
//	collection -> names, ids, destroyed -> samples, if it measures -> filter -> sort -> page -> trim
//
// A collection is addressed by position and builds an item only when asked for
// it. That is how an array of 20,000 volumes and 100,000 snapshots costs no
// memory: a made-up volume is a function of its number, the number is hidden in
// its name, and counting, naming and paging need no list. The made-up objects
// share out what the array itself reports, to the byte, so that volumes and
// hosts add up to their array.
//
// # Time
//
// A [Fixture] holds frames: all answers of an instant. By itself the clock
// chooses the frame, each for a period, round and round; [Array.SetFrame] chooses
// by hand. History is served from the same frames: the sample of a time is what
// the frame that was current at that time says, unaltered and not averaged. So
// every number that the simulator ever answers stands in a fixture, and a test
// may insist on it.
//
// The clock is [Options].Clock, by default time.Now. Under testing/synctest both
// that and [NewPipeListener] follow virtual time, through real TLS.
//
// # What is known, and what was chosen
//
// The vendor's OpenAPI files, its client, its retired exporter with recorded
// answers, and Cinder's driver say most of what an array does. Where they are
// silent, the simulator had to choose. Do not learn these from it:
//
//   - History ascends. Nothing states it; the evidence is indirect. So [History]
//     can turn it round or shuffle it, and a client should rely on time alone.
//   - Samples stand a fixed phase after multiples of their resolution, 10 s in the
//     built-in fixtures, because the one recorded sample is not aligned either. A
//     window is open at its start and closed at its end. Retention is as third
//     parties observed it.
//   - A query parameter that the endpoint does not know at that version is refused
//     with 400, which shows a client's mistake at once. So is an unknown field in
//     filter or sort.
//   - limit=0 fills total_item_count with or without being asked to, and says that
//     more items remain if there are any.
//   - A continuation token is handed out only where the endpoint also takes one at
//     that version; the vendor's client fails on any other. Elsewhere, and with
//     sort, page by offset.
//   - Newer fields are hidden from older versions, as the specifications suggest.
//   - A wrong api token is answered 401; revoking one also ends its sessions.
//     Sessions idle out after arrays.idle_timeout, which each request starts anew.
//   - total is over all that matched, not over the page.
//   - Text is compared without regard to case: of names that is documented, of
//     other text in filters it was chosen.
//   - POST /oauth2/1.0/token is answered 400: api tokens are the only way in.
//   - Nothing can be changed. What Cinder's driver sets up for replication is
//     answered as done already, where the recording has it; all else is 403.
//
// # Faults
//
// A [Fault] is what goes wrong and for whom. The constructors make the usual
// ones; On, After and Times narrow them:
//
//	array.SetFaults(
//		simulator.Expire().On("volumes").After(1).Times(1), // 401 between two pages
//		simulator.ServerError(503).On("arrays/*").Times(5), // a burst
//		simulator.Latency(2*time.Second),                   // and slow besides
//	)
//
// Each request meets at most one fault: the first that matches and is due.
// [WithoutRights] shows what a role sees that may not read capacity. Both shapes
// that Evergreen//One answers are known in are fixtures: flasharray-eg1-01 without
// reduction and provisioned size, flasharray-eg1-02 also without total_physical.
//
// Fixtures are plain files that people edit; fixtures/README.md has the layout.
package simulator
