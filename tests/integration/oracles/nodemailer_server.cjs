// Copyright: (c) 2026, the mailops.smtp authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Runs inside the root of the oracle tests: many smtp-server servers in one process. The one argument is a JSON file.

'use strict'

const fs = require('fs')
const { SMTPServer } = require('smtp-server')

const { servers, username, password } = JSON.parse(fs.readFileSync(process.argv[2]))

function right(auth) {
    if (auth.method === 'CRAM-MD5') return auth.validatePassword(password)
    return (auth.password ?? auth.accessToken) === password
}

for (const { port, certificate, key, host, settings } of servers) {
    new SMTPServer({
        name: host,
        cert: fs.readFileSync(certificate),
        key: fs.readFileSync(key),
        disableReverseLookup: true,
        disabledCommands: ['AUTH'],
        onAuth(auth, session, callback) {
            if (auth.username === username && right(auth)) callback(null, { user: username })
            else callback(new Error('Invalid user name or password'))
        },
        ...settings,
    })
        .on('error', () => {})
        .listen(port, '127.0.0.1')
}
