// Copyright: (c) 2026, the mailops.smtp authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Runs in the root of ../oracles, on the outside: submits the message of its standard input. The arguments: host, port, user, password, sender, recipient.

'use strict'

const fs = require('fs')
const nodemailer = require('nodemailer')

const [host, port, user, pass, from, to] = process.argv.slice(2)
nodemailer
    .createTransport({
        host,
        port: Number(port),
        secure: port === '465',
        requireTLS: true,
        auth: { user, pass },
        tls: { ca: fs.readFileSync('/root/world.pem') },
    })
    .sendMail({ envelope: { from, to: [to] }, raw: fs.readFileSync(0) })
    .catch((error) => {
        console.error(error.message)
        process.exitCode = 1
    })
