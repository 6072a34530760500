// Package function compiles and runs the filter functions and goodness functions
// of backends as Cinder does (cinder/scheduler/evaluator/evaluator.py), and finds
// in them what Cinder reads otherwise than it is written.
//
//	f, err := function.Compile("capabilities.load_percent < 80")
//	result, err := f.Eval(function.Vars{function.ScopeCapabilities: report.Capabilities})
//	passes := result.Truth()
//
// The language has numbers, quoted text, names such as
// capabilities.load_percent, the operators + - * / ^, comparisons that may be
// chained, ! && || (also as words), a ? b : c, and min, max and abs. An operand is
// what Python's int() or float() makes of a value: a float is cut to an integer.
// [Function.Review] lists such places in a function.
//
// [Function.Run] takes the values by position. A caller that runs a function on many
// backends resolves its [Function.Names] once for each report, and then runs it
// without a map and without an allocation.
package function
