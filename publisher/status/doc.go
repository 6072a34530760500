// Package status is the window into a running poolcast: Prometheus metrics,
// health for supervisors, the reports and the placement core as JSON, and a
// page for people.
//
//	/              the status page: pools, arrays, what was overlaid, a question form
//	/metrics       Prometheus metrics, one row per array, never one per volume
//	/livez         fails only when the main loop is stuck
//	/readyz        each backend and the broker, with reasons
//	/v1/reports    what --dry-run prints
//	/v1/place      what poolcast place --output json prints
//	/v1/openapi.yaml   the description of both
//
// # One view, many forms
//
// Everything is made from a [View], a copy of what the collector and the
// publisher know at one instant. A [Source] makes one for each request; this
// package keeps none. So a page, a scrape and a probe that ask at the same time
// get the same story, and a backend that was removed is gone from all of them.
//
// # It changes nothing
//
// Every endpoint answers GET and no other method. Reloading, pausing and
// stopping are the business of signals and of the configuration, which have
// owners and permissions already.
//
// # Who may ask
//
// The answers name arrays, pools and capacities. On loopback anybody on the
// host may read them; any other address needs TLS and a bearer token, or [New]
// refuses. A browser's dialogue takes the token as the password of any user name,
// so the page can be opened too. /livez and /readyz stay open, because supervisors rarely carry
// tokens, and say nothing but names and reasons.
//
// # Missing stays missing
//
// A number the array did not tell has no sample in /metrics, a dash on the page
// and a gap in the sparkline. Alert rules ask for age and up, not for zero.
package status
