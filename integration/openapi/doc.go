// Package openapi holds JSON bodies of HTTP responses to an OpenAPI 3.0
// description, for tests: that of the status page, and those of the array's
// vendor.
//
//	spec, err := openapi.Parse(text, openapi.Options{})
//	faults := spec.Faults(http.MethodGet, "/v1/reports", 200, "application/json", body)
//
// github.com/getkin/kin-openapi reads the description and compares the values.
// This package makes it strict: a property that the description does not name is a
// fault, also where a schema is composed of others.
//
// Only tests import this package; integration/imports_test.go checks it.
package openapi
