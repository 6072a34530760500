//go:build unix && !linux

package process

import "syscall"

// attributes makes the child lead its own process group. Only Linux can also end
// it with this process.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
