// Package fallback translates conditions of volume types on live metrics, which
// Cinder's CapabilitiesFilter enforces, into settings with which the real scheduler
// prefers the arrays that meet them: no array is refused for its load, and where none
// meets the conditions, or several do, the other weighers decide.
//
// A [Plan] has three parts: a goodness_function for each backend, the scheduler's
// weighers and multipliers, and the types without the conditions.
//
// # Why the multipliers
//
// The scheduler maps the weights of each weigher to 0…1 over the backends that fit,
// multiplies them and adds them up (cinder/scheduler/base_weight.py). GoodnessWeigher
// has no multiplier in any release, so a preferred array is ahead of another one by 1,
// or by the distance of the two scores in hundredths. The other weighers together can
// put the other one ahead by the sum of their absolute multipliers at most. So the
// preference holds if that sum is less than the distance, whatever the reports are. With
// CapacityWeigher and its default multiplier of 1, the fullest array ties with the
// emptiest.
//
// # What a function can read
//
// Cinder's evaluator (cinder/scheduler/evaluator/evaluator.py) reads names of letters
// and underscores with one point, truncates each float to an integer, and evaluates the
// first two operands of "and" only. A name without a value makes the function fail, and
// GoodnessWeigher then scores 0, which here means "not preferred". A function has the
// extra specs of the volume's type in the scope extra, also by names without a point
// or colon only; CapabilitiesFilter compares such an extra spec with the reports. So
// types with different conditions on the same backends are distinguished by an extra
// spec that they have anyway, or by [Class], which is added to types and backends.
//
// Every plan is checked: [Make] decides with the settings on the present reports and on
// constructed ones, see [Check]. Nothing here does I/O; any goroutine may call it.
package fallback
