package placement

import (
	"errors"
	"fmt"
)

// ErrNoPool says that no backend fits. [Engine.Decide] says why.
var ErrNoPool = errors.New("no backend fits")

// PluginError says that a plug-in could not decide, as opposed to deciding
// against a backend.
type PluginError struct {
	Plugin  string
	Backend string // "" if it could not even look at one
	Err     error
}

// Error names the plug-in and the backend.
func (e *PluginError) Error() string {
	if e.Backend == "" {
		return fmt.Sprintf("%s: %v", e.Plugin, e.Err)
	}
	return fmt.Sprintf("%s on %s: %v", e.Plugin, e.Backend, e.Err)
}

// Unwrap returns the plug-in's own error.
func (e *PluginError) Unwrap() error { return e.Err }
