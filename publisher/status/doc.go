// Package status serves the state of a running poolcast over HTTP: Prometheus
// metrics, health for supervisors, reports and placement decisions as JSON, and a
// page for people.
//
//	/              the status page: pools, a card or a row for each array, a form for
//	               placement; sort, pool, zone and backend select what is shown
//	/metrics       Prometheus metrics, one series per array, never one per volume
//	/livez         fails only when the main loop is stuck
//	/readyz        each backend and the broker, with reasons
//	/v1/reports    the newest report of each backend, as --dry-run prints it
//	/v1/effective  the report of each backend that the schedulers hold
//	/v1/failures   the latest failed creates, explained (explain_failures)
//	/v1/scheduler  the scheduler's list of backends, requested at most once a minute
//	/v1/place      a decision, as poolcast place --output json prints it
//	/v1/openapi.yaml   the description of these endpoints
//
// Package client is a client of this API.
//
// # One view
//
// Everything is made from a [View], a copy of the state of collector and publisher
// at one instant. A [Source] makes one for each request; this package keeps none.
// So a page, a scrape and a probe at the same time show the same, and a backend
// that was removed is gone from all of them.
//
// # Read-only
//
// Every endpoint accepts GET and HEAD, and nothing changes the agent. It is
// reloaded and stopped with signals and by its configuration, which have owners
// and permissions already.
//
// # Access
//
// The responses name arrays, pools and capacities. On a loopback address every user
// of the host may read them; any other address needs TLS and a bearer token, or
// [New] refuses it. A browser sends the token as the password of any user name, so
// the page can be opened too. /livez and /readyz need no token, because supervisors
// rarely have one, and contain only names and reasons.
//
// # Marks
//
// A figure beyond its [Thresholds] is marked on the page with warning or critical, in
// words, signs and colour. Metrics and health do not depend on it.
//
// # Missing values
//
// A number that the array did not report has no sample in /metrics, a dash on the
// page and a gap in the sparkline. It is never zero.
package status
