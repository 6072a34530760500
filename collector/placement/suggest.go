package placement

import (
	"fmt"
	"strings"

	"github.com/poolcast/poolcast/collector/capability/format"
)

// unknown says that a name is not registered, and which one may be meant.
func unknown(kind, name string, known []string) error {
	if len(known) == 0 {
		return fmt.Errorf("%s %s is not known: none is registered", kind, name)
	}
	if near := format.Nearest(name, known); near != "" {
		return fmt.Errorf("%s %s is not known: did you mean %s?", kind, name, near)
	}
	return fmt.Errorf("%s %s is not known: there are %s", kind, name, strings.Join(known, ", "))
}
