//go:build !unix

package core

func ignoreBrokenPipes() {}
