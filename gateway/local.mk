# gateway/
