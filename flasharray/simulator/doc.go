// Package simulator simulates a FlashArray: an http.Handler that responds to REST
// 2 requests as an array does, from recordings, over HTTPS, and with the faults
// that a test needs.
//
//	fixtures, err := simulator.Builtin()
//	array := simulator.New(fixtures[0], simulator.Options{})
//	server, err := simulator.Serve([]*simulator.Array{array}, simulator.ServeOptions{})
//	defer server.Close()
//	// a client: target server.Addr(array.Name()), roots server.CertPool()
//
// It imports no other package of poolcast and writes its own JSON. A field with a
// wrong tag in the client is then missing in the client's result; a simulator
// made of the client's own structs would have the same wrong tag.
//
// # One request, step by step
//
// [Array.ServeHTTP] counts the request, applies a due [Fault], checks the session,
// and finds the endpoint in schema.txt, which has the version that introduced
// each endpoint, query parameter and field. All list requests are processed in
// the same way:
//
//	collection -> names, ids, destroyed -> samples, for space and performance -> filter -> sort -> page -> trim
//
// A collection is addressed by position and builds an item only when it is
// needed. So an array of 20,000 volumes and 100,000 snapshots needs no memory: a
// generated volume is a function of its number, its name encodes the number, and
// counts, names and pages need no list. The values of the generated objects are
// shares of the array's own values, exact to the byte, so that the sums over
// volumes and hosts equal the values of the array.
//
// # Time
//
// A [Fixture] has frames: all responses at one time. By default the clock
// determines the frame, each for a period, in a cycle; [Array.SetFrame] sets it.
// History is served from the same frames: the sample of a time is that of the
// frame that was current at that time, unchanged and not averaged. So every
// number that the simulator returns is in a fixture, and a test may compare it.
//
// Writable arrays have the first frame only.
//
// The clock is [Options].Clock, by default time.Now. Under testing/synctest both
// that and [NewPipeListener] follow virtual time, through real TLS.
//
// # Documented and assumed behaviour
//
// The vendor's OpenAPI files, its client, its retired exporter with recorded
// responses, and Cinder's driver document most of an array's behaviour. The
// following is not documented; the simulator proves nothing about it:
//
//   - History ascends. This is not documented; the evidence is indirect. So
//     [History] can reverse or shuffle it, and a client should rely on time alone.
//   - Samples stand a fixed phase after multiples of their resolution, 10 s in the
//     built-in fixtures, because the one recorded sample is not aligned either. A
//     window is open at its start and closed at its end. Retention is as third
//     parties observed it.
//   - A query parameter that the endpoint does not have in that version is rejected
//     with 400, which shows a client's mistake at once. So is an unknown field in
//     filter or sort.
//   - limit=0 sets total_item_count even without the parameter for it, and
//     more_items_remaining if there are any.
//   - A continuation token is returned only where the endpoint also accepts one in
//     that version; the vendor's client fails on any other. Elsewhere, and with
//     sort, clients use offset.
//   - Newer fields are hidden from older versions, as the specifications suggest.
//   - A wrong api token returns 401; revoking one also ends its sessions. Sessions
//     expire after arrays.idle_timeout without a request.
//   - total is over all matching objects, not over the page.
//   - Text is compared without regard to case: for names that is documented, for
//     other text in filters it is assumed.
//   - POST /oauth2/1.0/token returns 400: there are api tokens only.
//   - A recording cannot be changed. What Cinder's driver sets up for replication
//     exists already, where the recording has it; all other changes return 403.
//
// # Writable arrays
//
// With [Options].Writable an array accepts the changes that Cinder's driver sends.
// It starts as frame 0 of its fixture; each later response has every change made
// before it. All objects are then kept in memory, in tables by endpoint, and the
// lists are served from the tables as from a recording. A change is prepared in
// drafts of the tables, on every array that it concerns, and becomes their state as
// a whole; a request that is refused changes nothing. Counts and sizes that follow
// from other objects (connections of hosts and volumes, volumes of groups and pods,
// the provisioned size of the array) are derived after each change. Ids and serial
// numbers depend on the array and on the order of the changes only.
//
// write_operations.go lists what is supported. Any other endpoint, parameter or
// member of a body is refused with its name, never ignored.
//
// Writable arrays of one [Serve] that have a connection to each other in their
// recordings replicate. The objects of a stretched pod are on each of its arrays. A
// protection group is replicated to the targets that allow it, at once when its
// schedule is enabled, then in its interval, and when a snapshot is taken with
// replicate_now.
//
// Documented by the driver are the texts of errors that it searches for, the names
// of replicated groups and snapshots, and that LUNs became namespace ids with Purity
// 6.6. The following is assumed:
//
//   - A volume that is destroyed again does not exist, as the driver expects;
//     anything else that is destroyed again has been destroyed. The name of a
//     destroyed object is not free until it is eradicated.
//   - A volume with connections cannot be destroyed. Its snapshots are destroyed
//     and recovered with it, those of protection groups are not.
//   - A volume moves between pods only if these are stretched to the same arrays,
//     and not while it is in a protection group. A rename does not move it.
//   - LUNs and namespace ids begin at 1; the lowest free one is used.
//   - Copies and replicas are complete at once, and pods are online. A replication
//     by schedule leaves a snapshot on the target only. Snapshot schedules do
//     nothing, and eradication cannot be disabled.
//   - A stretched volume has the connections of each of its arrays; the hosts of
//     another array are remote hosts. Recorded remote hosts have a count only.
//   - Recorded counts of connections and members get lists that fit them.
//
// # Load and space of writable arrays
//
// The load, the latency and the used space of a writable array follow from its
// volumes; [Model] has the formulas, their sources and the parameters, and
// workload.go computes them. The recorded volumes keep the load and the space that
// they have in frame 0; each created volume has a [Workload]. Unless the model has
// others, the limit and the service times are those that the recorded latencies
// imply: an unchanged array has the recorded rates, and the recorded latencies but
// for 3 %. [Fixture.Empty] is an array to which nothing was written yet.
//
//	array := simulator.New(fixture.Empty(), simulator.Options{Writable: true, Model: simulator.Model{Seed: 1, Speed: 3600}})
//	array.Disturb(simulator.Disturbance{Operations: 50_000}) // a noisy array
//	array.Disturb(simulator.Disturbance{Slow: 3})            // a slow one
//	array.Disturb(simulator.Disturbance{})                   // neither
//
// Every sample is computed for its own time, also after later changes, so history
// shows when a volume was created, destroyed or extended. The values of the array
// are exactly the sums over its volumes: each volume's rate is rounded up or down by
// a number that its id determines. Those of hosts, pods and volume groups are the
// sums over the volumes that they have now.
//
// The following is a simplification:
//
//   - A volume has its load from its creation until it is destroyed, whether or not it
//     is connected. One of a stretched pod has it on each array, without mirrored
//     writes.
//   - Recorded volumes neither grow nor overwrite their data: a snapshot of one that
//     is taken later stays empty.
//   - A volume that is overwritten by another keeps the bytes that it had. A replica
//     on another array occupies nothing there.
//   - Compression and deduplication are one ratio for each volume, and the shared
//     space of the array is as recorded.
//
// # Faults
//
// A [Fault] is an effect and the requests that it applies to. The constructors
// make the usual ones; On, After and Times restrict them:
//
//	array.SetFaults(
//		simulator.Expire().On("volumes").After(1).Times(1), // 401 between two pages
//		simulator.ServerError(503).On("arrays/*").Times(5), // a burst
//		simulator.Latency(2*time.Second),                   // and slow besides
//	)
//
// At most one fault applies to a request: the first that matches and is due.
// [WithoutRights] has the responses for a role that may not read capacity. Both
// known forms of Evergreen//One are fixtures: flasharray-eg1-01 without reduction
// and provisioned size, flasharray-eg1-02 also without total_physical.
//
// Fixtures are plain files that people edit; fixtures/README.md has the layout.
package simulator
