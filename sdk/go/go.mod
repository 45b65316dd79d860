module github.com/holdfast-host/holdfast/sdk/go

go 1.24
