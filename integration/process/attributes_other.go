//go:build unix && !linux

package process

import "syscall"

// attributes makes the child lead its own group. Only Linux can also tell it to
// die with us.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
