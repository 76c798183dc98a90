#!/usr/bin/python
# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes Postfix as one transaction. The work is done in module_utils/_postfix."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postfix_config
short_description: Change Postfix as one transaction
version_added: 1.0.0
author:
  - the mailops.smtp authors (@mailops)
description:
  - Brings the files of a Postfix configuration directory to the state asked for, all of them or none.
  - The whole directory is staged beside the live one and checked there, with Postfix's own tools and with checks
    where those are silent. A mistake is refused before anything is live, and all mistakes are listed at once, each
    with file, line, parameter, value, what is wrong and what to write.
  - The staged directory and the live one then change places in one system call where the kernel and the file system
    allow that. Postfix is reloaded, or stopped and started where a changed parameter needs that and only then.
  - Before a stop, deliveries that are under way are given up to 10 seconds to end, so that none of them is repeated.
  - After that the master process must run, every C(inet) service of C(master.cf) must answer, and nothing fatal may be
    logged. Otherwise everything goes back as it was, and the error shows the log.
  - Killed at any instant, it leaves a whole configuration, and the next run recovers.
  - With O(block) it keeps a part of its own in files that belong to the host, and leaves every other byte of them.
  - What is in Postfix's way is found before anything changes. That is another mail server, a masked unit, a program
    that holds a port which Postfix needs, or a file system that is mounted read-only.
  - Where Postfix is not installed, check mode shows what would be created; a real run fails.
options:
  files:
    description:
      - Files that the caller owns, given whole. All other files stay as they are.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: The file, relative to O(config_directory) and below it.
        type: str
        required: true
      content:
        description:
          - What the file is to contain. A missing newline at its end is added.
          - Required unless O(files[].state=absent) or O(files[].self_signed=true).
        type: str
      mode:
        description:
          - The file's mode, as octal text.
          - Without it an existing file keeps its mode, less what would let others than its owner write it. A new one
            gets V(0644), and a sensitive one always V(0600).
          - C(main.cf) and C(master.cf) belong to root, and C(main.cf) can be read by all, since the C(sendmail) of
            every user reads it.
        type: raw
      sensitive:
        description:
          - Whether the content is secret. It then appears in no diff, no returned value, no log and no error, the
            file belongs to root, and a backup of it, where one is made (O(backup)), can be read by root alone.
        type: bool
        default: false
      state:
        description: V(absent) removes the file, and tables that were compiled from it and that nothing names.
        type: str
        choices: [present, absent]
        default: present
      block:
        description:
          - Whether O(files[].content) is a block of rows in a table whose other rows are the host's own. A row of the
            host with the same key is commented out for as long as the block has it.
          - Where O(block.prepend) names that table, and the host has such a file before the block first comes, the file
            stays as it is, with what is compiled from it. The block is then in C(mailops_) and the name.
          - Only with O(block), and for tables of keys and values (C(hash:), C(lmdb:), C(texthash:) and the like).
        type: bool
        default: false
      self_signed:
        description:
          - In place of O(files[].content), a private key and a certificate for C($myhostname) that signs itself. What
            is there stays until the name is another, or the last month before it expires, after ten years.
          - It is made by the program C(openssl) of the host. The file is sensitive. Only with O(block).
        type: bool
        default: false
        version_added: 1.1.0
  block:
    description:
      - What a block at the end of C(main.cf) is to hold. Everything else in C(main.cf), C(master.cf) and the tables is
        the host's own and stays, byte for byte; a line of it that the block overrides is commented out where it stands.
      - The block holds all that is named here, in O(parameters) and, in C(master.cf), in O(services). So what is no
        longer named goes away in the next run, and the host's own is in force again. The same holds for O(files).
      - V(null) in O(parameters) and V(absent) in O(services) comment the host's own out.
    type: dict
    suboptions:
      text:
        description: Settings as C(main.cf) writes them, with comments.
        type: str
        default: ""
      prepend:
        description:
          - Tables that come before those that the host has in a list such as C(alias_maps). Where the host has no
            value, before Postfix's default.
        type: dict
        default: {}
      default:
        description:
          - Values for parameters for which the host has none. One that its Postfix does not know is left out.
          - V(null) for C(smtp_tls_CAfile) is the distribution's file of CA certificates.
        type: dict
        default: {}
      stock:
        description:
          - Values for parameters that nothing else here names, on a host whose C(main.cf) is the distribution's, with
            nothing changed by hand. Once in the block, they stay. One that its Postfix does not know is left out.
          - C(compatibility_level) is added where that C(main.cf) has none.
        type: dict
        default: {}
      required:
        description:
          - Parameters for which there is no safe value on such a host, or with O(block.replace), each with the sentence
            with which the change is refused where nothing here names it.
        type: dict
        default: {}
      replace:
        description:
          - Whether the block is to be all of C(main.cf). What the host has there stays, commented out.
        type: bool
        default: false
      fresh:
        description:
          - Whether Postfix was installed for this very change, so that nobody depends on what its package left there,
            and nothing is listed as taken from the host.
        type: bool
        default: false
      variables:
        description:
          - Names of variables to use in what is said of parameters in O(block.text), for a role that fills it from
            variables of its own; under V(parameters) and V(services) the names for O(parameters) and O(services). One
            for a service alone is under its name and type, as V(587/inet), and one for an option of it under these and
            the parameter, as V(587/inet smtpd_tls_cert_file).
        type: dict
        default: {}
      offered:
        description:
          - The SASL mechanisms that the relay offers.
          - The filter is of the whole SMTP client. So on a host with an C(smtp_sasl_password_maps) of its own, a
            C(smtp_sasl_mechanism_filter) in O(block.text) becomes one that rules out those of the mechanisms here which
            Cyrus SASL would take before it, for example C(!digest-md5, static:all), and lets other relays have theirs.
        type: list
        elements: str
        default: []
      reachable:
        description:
          - The sentence with which the change is refused where other hosts could not reach Postfix, because of an
            C(inet_interfaces) that nothing here names. Empty where that is no matter.
        type: str
        default: ""
        version_added: 1.1.0
  restore:
    description:
      - Take back what O(block) did, as a transaction of its own; what else changed in the files since stays.
      - V(previous) puts the block, the files and the services of the last change but one in place of those of the last.
        Passwords are kept in no copy, so those of now are used for the next hops of then.
      - V(original) takes the block, the files and the services away, so that the files are as they were before the
        first, with owner and mode.
    type: str
    choices: [previous, original]
  parameters:
    description:
      - Values to merge into C(main.cf), on top of O(files) if that has C(main.cf). Comments, order and all other
        parameters stay.
      - V(true) becomes C(yes), V(false) C(no), a list is joined with commas, V(null) removes the parameter.
    type: dict
    default: {}
  services:
    description:
      - Entries to merge into C(master.cf), found by O(services[].service) and O(services[].type). What an entry does
        not name stays as it is.
    type: list
    elements: dict
    default: []
    suboptions:
      service:
        description: Name, or for type V(inet) the port or host and port, as C(master.cf) writes it.
        type: str
        required: true
      type:
        description: The type of the service.
        type: str
        choices: [inet, unix, unix-dgram, fifo, pass]
        required: true
      like:
        description:
          - A service of the same type that this one begins as, with its columns, command and C(-o) options, in place of
            what this one has. What else is named here comes on top. It follows the other one in every run.
          - Where there is no such service, this is as if it were not named.
        type: str
      private:
        description: V(y), V(n) or V(-).
        type: raw
      unpriv:
        description: V(y), V(n) or V(-).
        type: raw
      chroot:
        description: V(y), V(n) or V(-). A new service gets V(n).
        type: raw
      wakeup:
        description: Seconds, optionally followed by V(?), or V(-).
        type: raw
      maxproc:
        description: A number, V(0) for no limit, or V(-).
        type: raw
      command:
        description:
          - The daemon and its arguments. Required for a service that is not in C(master.cf) yet.
        type: str
      options:
        description: The service's C(-o) options, merged. V(null) removes one.
        type: dict
        default: {}
      where_known:
        description: More of them, each set where this host's Postfix knows the parameter.
        type: dict
        default: {}
        version_added: 1.1.0
      exclusive:
        description:
          - Whether this service is alone on its port. Every entry of type V(inet) on the same port goes, by whatever
            name and address, and nothing of it stays in this one.
          - With V(absent) they go as well. With O(block) they are there again when this entry is no longer given.
        type: bool
        default: false
        version_added: 1.1.0
      state:
        description: V(absent) removes the service.
        type: str
        choices: [present, absent]
        default: present
  config_directory:
    description: The configuration directory of the Postfix instance.
    type: path
    default: /etc/postfix
  confirm:
    description: What must hold after activation, beside what is always looked at.
    type: dict
    default: {}
    suboptions:
      listen:
        description: TCP ports that must accept a connection and greet.
        type: list
        elements: int
        default: []
      timeout:
        description: How many seconds Postfix has to serve.
        type: float
        default: 30
  activate:
    description:
      - V(auto) does the least that puts the configuration in force. Nothing where nothing changed, a reload, a stop
        and start, or a start where Postfix was found stopped.
      - V(none) only changes files. Short-lived Postfix processes read them at once nevertheless.
    type: str
    choices: [auto, none]
    default: auto
  backup:
    description:
      - Whether to keep what is replaced beside the file, readable by root alone.
      - Of a sensitive file that is a table, only where an entry would be lost, key and value. A password that is
        rotated, or whose next hop moves to another port, leaves no copy.
    type: bool
    default: false
  backup_keep:
    description: How many backups of a file to keep. Older ones are removed when one is made.
    type: int
    default: 5
  replace_mta:
    description:
      - Whether Postfix may be installed in the place of another mail server. Without it a host that has one is
        refused, by its name and the number of messages in its queue, before it is removed.
      - With it, what is in that queue stays where it is, and is told of.
    type: bool
    default: false
    version_added: 1.1.0
  ignore:
    description:
      - Checks to turn off, by their name in RV(findings[].check), each with the reason. What such a check finds is a
        warning with that reason, in every run, and no longer stops the change. Whether Postfix serves afterwards is
        looked at all the same.
      - U(https://github.com/mailops/ansible-smtp/blob/main/docs/checks.md) lists the checks.
    type: dict
    default: {}
    version_added: 1.1.0
  needs:
    description:
      - Programs that the configuration depends on, beside Postfix's own. Where one is not installed, it is in
        RV(missing).
    type: list
    elements: str
    choices: [dovecot]
    default: []
    version_added: 1.1.0
  on_missing:
    description:
      - What a run outside of check mode does where Postfix is not installed. V(fail) fails, V(report) changes nothing
        and says what is missing in RV(missing).
    type: str
    choices: [fail, report]
    default: fail
    version_added: 1.1.0
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
    details: The configuration is staged in a private directory and checked as in a real run.
  diff_mode:
    support: full
    details: Of a sensitive file the diff shows only that it changes.
  platform:
    support: full
    platforms: posix
notes:
  - Needs root on the managed host.
  - Compiled tables (C(hash:), C(btree:), C(lmdb:), C(cdb:)) that the configuration names are built when they are lost
    or older than their source.
seealso:
  - module: mailops.smtp.postfix_info
"""

EXAMPLES = r"""
- name: Relay through a smarthost with a password
  mailops.smtp.postfix_config:
    parameters:
      relayhost: "[relay.example.com]:587"
      smtp_sasl_auth_enable: true
      smtp_sasl_password_maps: texthash:/etc/postfix/sasl_passwd
      smtp_sasl_security_options: noanonymous
      smtp_tls_security_level: secure
      smtp_tls_CAfile: /etc/ssl/certs/ca-certificates.crt
    files:
      - path: sasl_passwd
        content: "[relay.example.com]:587 {{ relay_username }}:{{ relay_password }}"
        sensitive: true

- name: Add a client for implicit TLS to master.cf
  mailops.smtp.postfix_config:
    services:
      - service: smtp-wraptls
        type: unix
        command: smtp
        options:
          smtp_tls_wrappermode: true
          smtp_tls_security_level: encrypt

- name: Own main.cf, and make sure that submission answers
  mailops.smtp.postfix_config:
    files:
      - path: main.cf
        content: "{{ lookup('ansible.builtin.template', 'main.cf.j2') }}"
    services:
      - service: "587"
        type: inet
        private: n
        command: smtpd
        options:
          smtpd_tls_security_level: encrypt
          smtpd_sasl_auth_enable: true
    confirm:
      listen: [587]
"""

RETURN = r"""
files:
  description: The files that changed, or would change.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: Relative to the configuration directory.
      type: str
    action:
      description: V(created), V(modified), V(removed), or V(mode) where only mode or owner differ.
      type: str
    sensitive:
      description: Whether its content is hidden.
      type: bool
activated:
  description: What was done to the running Postfix, one of V(none), V(reload), V(restart), V(start).
  returned: success
  type: str
  sample: reload
confirmed:
  description: Whether Postfix was seen to serve.
  returned: success
  type: bool
enabled:
  description:
    - Whether systemd starts Postfix at boot. The module does not change that.
    - V(null) where systemd does not run, and for a O(config_directory) other than V(/etc/postfix).
  returned: success
  type: bool
dovecot_auth:
  description: Whether M(mailops.smtp.dovecot_auth) has files in Dovecot's configuration.
  returned: success
  type: bool
missing:
  description:
    - What the configuration needs on this host, is not there, and comes with packages.
    - V(postfix), V(sasl_plugin) where a login is asked for and Cyrus SASL has no plugin for it, V(ca_file) where
      C(smtp_tls_CAfile) does not exist, and what of O(needs) is not installed.
    - When it is not empty, install these first, then run again.
  returned: always
  type: list
  elements: str
  sample: []
takes:
  description:
    - With O(block), what the change takes from the host, a sentence each. A listener, a domain, a table, a value.
    - What neither O(block), O(parameters) nor O(services) name is refused, unless O(block.replace=true) or C(main.cf)
      is the distribution's.
  returned: always
  type: list
  elements: str
  sample: ["port 25 no longer answers other hosts: inet_interfaces was all, becomes loopback-only"]
packages:
  description:
    - The packages that bring what is RV(missing), as this host's distribution names them.
    - Empty where nothing is missing, and where the distribution is not known.
  returned: always
  type: list
  elements: str
  sample: [postfix, libsasl2-modules]
unpackaged:
  description:
    - What to do where no package is known that brings what is RV(missing), because the distribution is not known, or
      none of its packages for the plugin of a SASL mechanism. It names variables of role P(mailops.smtp.postfix#role).
    - Empty where RV(packages) has it all.
  returned: always
  type: str
  sample: ""
rolled_back:
  description: Whether the change was made, found wanting, and taken back.
  returned: always
  type: bool
recovered:
  description: Whether the change of an earlier run, killed half way, was taken back first.
  returned: success
  type: bool
maps:
  description: Tables that were compiled because the compiled one was lost or stale.
  returned: success
  type: list
  elements: str
backups:
  description: The backup files made.
  returned: success
  type: list
  elements: str
warnings:
  description: Opinions about the configuration that do not stop the change.
  returned: when there are any
  type: list
  elements: str
findings:
  description:
    - What the checks found, where something changes or would change. What checks found that are turned off (O(ignore))
      is there in every run.
    - Mistakes, for which the change is refused, and opinions, which are warnings as well.
  returned: always
  type: list
  elements: dict
  contains:
    file:
      description: The file, relative to the configuration directory.
      type: str
    line:
      description: Its line, 0 where there is none.
      type: int
    parameter:
      description: The parameter or service concerned.
      type: str
    value:
      description: Its value.
      type: str
    problem:
      description: What is wrong.
      type: str
    remedy:
      description: What to write instead.
      type: str
    check:
      description: The name of the check that found it, see O(ignore).
      type: str
    certain:
      description: Whether it is an error. An opinion is a warning, and so is what a check found that is turned off.
      type: bool
log:
  description: What Postfix logged when it did not serve.
  returned: failure
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mailops.smtp.plugins.module_utils._base import zipped  # noqa: F401  # pylint: disable=unused-import
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.arguments import CONFIG_ARGUMENTS
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.glue import run_config


def main() -> None:
    run_config(AnsibleModule(argument_spec=CONFIG_ARGUMENTS, supports_check_mode=True))


if __name__ == "__main__":
    main()
