// Package flasharray samples a Pure Storage FlashArray over its REST 2
// interface, with few and small requests.
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
// in [Client.Close]. After a 401, because the session has expired or the array
// was upgraded, the client reads the array's versions again, logs in again and
// repeats the request, once in a sample. Goroutines that get the same 401 at the
// same time share one login: each passes the session that was refused, and only
// the first finds that it is still the current one.
//
// A login has a timeout of its own, one minute, and is not cancelled with the
// sample that sent it: the array may have opened a session by then. While it has
// no response no other login is sent. Its session is used by the next sample, or
// logged out by Close.
//
// The version is the newest that the array offers between [OldestVersion] and
// [NewestVersion].
//
// # Eight requests
//
// A sample costs eight requests and less than 16 KiB, whatever the number of
// objects on the array:
//
//	arrays/space          capacity and use; without it there is no sample
//	arrays/performance    the last minute and a half, at 30 s resolution
//	volumes               counted, destroyed ones included
//	volumes               counted, destroyed=false
//	volume-snapshots      counted
//	hosts                 counted
//	protection-groups     counted
//	array-connections     listed, an array has few; or one of the parts below
//
// A count needs no list of objects: limit=0 with total_item_count=true. Where an
// array returns no number for that, limit=1 is used from then on.
//
// After a login the client also reads the array's name and Purity release
// (arrays), its model (controllers) and, since REST 2.26, its subscription. A
// session belongs to one array, so these are not requested in every sample.
//
// # What shares the last request
//
// The last request of a sample reads the part that is due first:
//
//	alerts                 the open critical ones, counted       every minute
//	alerts                 warnings; info, counted               every five minutes each
//	controllers            at most 20 of them                    every five minutes
//	pods                   stretched ones, one in a sample       every five minutes
//	pod-replica-links/lag  four in a sample                      every five minutes
//	arrays, subscriptions  an upgrade may leave the session open every fifteen minutes
//	array-connections      when nothing else is due              every minute at least
//
// Polled every 15 s, an array has each part read at its interval. Polled every minute,
// critical alerts are read every six minutes, connections too, and the others every ten.
// An array without connections has no part for pods and their links. More than 16
// stretched pods or 32 links are not read.
//
// All but identity and connections are the [capability.Condition] of a sample. A part of
// that which fails is no fault of the sample; one that the array refuses is requested
// again after an hour.
//
// # The newest performance sample
//
// The order of a history is not documented, so the newest sample is the one with
// the greatest time. The window's start is computed by the array's clock, known
// from the Date of its responses, and its end is left to the array; a host whose
// clock is wrong gets the right sample with the right age. A sample later than
// the array's own clock, by more than a resolution, was taken before that clock
// was set back, and is ignored.
//
// An idle array may have no samples for a while. When a minute and a half has
// none, the last hour is requested with its three newest, and from then on that
// is the first request for such an array. If the array does not sort (no
// recording proves that it does), the newest are found by their offset. To
// compensate for the additional request, the connections to other arrays are
// kept from the previous sample. An hour without a sample leaves Performance nil.
// It is never zero.
//
// Date has whole seconds, and may be the clock of a proxy; where the array
// returns its own time after login (_as_of, REST 2.26), that corrects it.
//
// # Unexpected responses
//
// Any number may be null or missing: because of the token's role, on
// Evergreen//One, on an old release. A member of an unexpected type, a negative
// number or one that does not fit counts as missing and is listed in the faults
// of the sample. A part that fails does not affect the others. After two requests
// without a response, or one with Retry-After, a sample sends no further request.
//
// # What resty does, and what it does not
//
// resty builds the URL, the query and the headers, bounds the body and prints
// debug output. It does not retry: the next poll is the retry, and after a 401 a
// login must come first. Nor does it decode errors or bodies: there are two forms
// of error body, a field of the wrong type must not fail the whole response, and
// a token that a response repeats is redacted before anything is decoded.
//
// # Secrets
//
// The API token and the session token are sent in headers. They are in no error,
// no printed client and no debug output, and since Go forwards unknown headers
// on a redirect, redirects are not followed at all.
//
// # Certificates with a negative serial number
//
// Go refuses them in the handshake, verified or not, unless the program says
// otherwise: a program that uses this package needs the line
//
//	//go:debug x509negativeserial=1
//
// in its main package, or the setting in its go.mod. The error says so.
//
// # Memory and connections
//
// A client keeps one connection open between samples. That costs some 40 KiB a
// client, TLS included; a new handshake for every sample, which
// [Options.IdleTimeout] can select instead, doubles the processor time of a
// sample from about one millisecond to two. BenchmarkFleet measures both.
// Clients that trust the same certificates should share a pool made by
// [ReadCAs]: it may be larger than all the rest.
package flasharray
