//go:build !unix

package bench

import "errors"

func selfUsage() (usage, error) {
	return usage{}, errors.New("the relay can be measured on Unix systems only")
}
