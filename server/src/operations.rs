//! Every change to the server's state, one per file. No HTTP: a caller and typed input come in, an outcome goes out.

pub(crate) mod add_provenance;
pub(crate) mod append_to_upload;
pub(crate) mod begin_upload;
pub(crate) mod cancel_upload;
pub(crate) mod change_settings;
pub(crate) mod create_repository;
pub(crate) mod create_token;
pub(crate) mod delete_manifest;
pub(crate) mod delete_version;
pub(crate) mod finish_upload;
pub(crate) mod hold_blob;
pub(crate) mod import;
mod keep_blob;
pub(crate) mod mount_blob;
mod offered;
pub(crate) mod publish;
pub(crate) mod put_manifest;
pub(crate) mod replace_signing_keys;
pub(crate) mod restore_version;
pub(crate) mod revoke_token;
pub(crate) mod switch_read_only;
