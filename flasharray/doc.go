// Package flasharray takes readings of a Pure Storage FlashArray over its REST
// 2 interface, as a light and well-behaved guest.
//
//	client, err := flasharray.New(flasharray.Options{
//		Address: "192.0.2.10",
//		Token:   flasharray.StaticToken(token),
//		Verify:  true,
//	})
//	…
//	defer client.Close(ctx)
//	stats, err := client.Sample(ctx)
//
// # One session
//
// An array that many clients log in to warns that its REST server may become
// unresponsive. So a [Client] logs in once, at its first request, and logs out
// in [Client.Close]. When the array answers 401, because the session has
// expired or the array was upgraded, the client asks for the array's versions
// again, logs in again and repeats the request, once in a reading. Goroutines
// that meet the same 401 at the same time share one login: each hands in the
// session that was refused, and only the first finds it still to be the
// current one.
//
// A login has a bound of its own, [Options.LoginTimeout], and is not cancelled
// with the reading that sent it: the array may have opened a session by then.
// While it is unanswered no other login is sent. Its session is used by the next
// reading, or logged out by Close.
//
// The version is the newest that the array offers between [OldestVersion] and
// [NewestVersion].
//
// # Eight requests
//
// A reading costs eight requests and less than 16 KiB, whatever the array
// holds:
//
//	arrays/space          capacity and use; without it there is no reading
//	arrays/performance    the last minute and a half, at 30 s resolution
//	volumes               counted, destroyed ones included
//	volumes               counted, destroyed=false
//	volume-snapshots      counted
//	hosts                 counted
//	protection-groups     counted
//	array-connections     listed; an array has a handful
//
// Counting asks for no objects: limit=0 with total_item_count=true. Where an
// array answers that without a number, limit=1 is used from then on.
//
// After a login come the array's name and Purity release (arrays), its model
// (controllers) and, since REST 2.26, the subscription it is sold under. A
// session belongs to one array, so these are not asked for again before the
// next login, unless arrays/space tells another id. As an upgrade may leave the
// session open, one of them is read again every five minutes, in place of
// array-connections.
//
// # The newest sample
//
// Which end of a history comes first is documented nowhere, so the newest
// sample is the one with the greatest time. The window's start is computed by
// the array's clock, known from the Date of its answers, and its end is left to
// the array; a host whose clock is wrong gets the right sample with the right
// age. A sample later than the array's own clock, by more than a resolution, was
// taken before that clock was set back, and is no sample.
//
// An array with little to do may have no samples for a while. When a minute and
// a half holds none, the last hour is asked for its three newest, which is what
// the reading of such an array begins with from then on. If the array does not
// sort (no recording proves that it does), the newest are found by their
// offset. The additional request is made up for by keeping the connections to
// other arrays from the reading before. An hour without a sample leaves
// Performance nil. It is never zero.
//
// Date tells whole seconds, and may be the clock of a proxy; where the array
// tells its own time at login (_as_of, REST 2.26), that corrects it.
//
// # Trust nothing
//
// Any number may be null or missing: for want of rights, on Evergreen//One, on
// an old release. A member of an unexpected type, a negative number or one that
// does not fit counts as missing and is listed in the reading's faults. A part
// that fails leaves the others standing. After two requests without an answer,
// or one that the array answered with "later", a reading asks for nothing more.
//
// # Secrets
//
// The API token and the session token travel in headers. They are in no error,
// no printed client and no debug output, and since Go forwards unknown headers
// on a redirect, redirects are not followed at all.
//
// # Certificates with a negative serial number
//
// Go refuses them in the handshake, verified or not, as long as the program does
// not say otherwise: a program that uses this package wants the line
//
//	//go:debug x509negativeserial=1
//
// in its main package, or the setting in its go.mod. The error says so.
//
// # Memory and connections
//
// A client keeps one connection open between readings. That costs some 40 KiB
// a client, TLS included; a new handshake for every reading, which
// [Options.IdleTimeout] can ask for instead, doubles the processor time of a
// reading from about one millisecond to two. BenchmarkFleet measures both.
// Clients that trust the same certificates should share a pool made by
// [ReadCAs]: it may be larger than all the rest.
package flasharray
