"""AWS Lambda on this machine: functions under AWS's own runtime client, against our Runtime API."""
