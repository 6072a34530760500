package main

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/poolcast/poolcast/flasharray"
)

var digits = regexp.MustCompile(`[0-9]+`)

// arrayCause names the cause of an array's failure without what differs from
// poll to poll: the request, its number, the port it was sent from.
func arrayCause(err error) string {
	if errors.Is(err, flasharray.ErrTokenRefused) {
		return "token refused"
	}
	if api, ok := errors.AsType[*flasharray.APIError](err); ok {
		return fmt.Sprintf("status %d", api.Status)
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return digits.ReplaceAllString(err.Error(), "#")
}
